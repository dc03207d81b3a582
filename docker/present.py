"""Settings of a server that has a card: a page that was left open keeps it from nobody.

JupyterLab asks for files and kernels every few seconds while its page is in front. Only what somebody does counts.
"""

from jupyter_server.base.handlers import APIHandler

count = APIHandler.update_api_activity


def update_api_activity(self) -> None:
    """Count saving, running and starting as activity, and looking not."""
    if self.request.method != "GET":
        count(self)


APIHandler.update_api_activity = update_api_activity
