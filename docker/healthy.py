"""Ask JupyterLab in this container whether it answers; status 1 if it does not."""

import os
import sys
import urllib.request

where = f"http://127.0.0.1:8888{os.environ.get('JUPYTERHUB_SERVICE_PREFIX', '/')}api"
try:
    urllib.request.urlopen(where, timeout=3).close()
except OSError as error:
    sys.exit(f"{where}: {error}")
