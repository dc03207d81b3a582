// The tour of the first minute: JupyterLab offers it once, when lesson 0 opens, and keeps it in the menu Help.
// And a tile of the launcher that opens lesson 0. JupyterLab loads this file as it stands.
// The dialog is the browser's own: it holds the keyboard, so that no key reaches the notebook behind it, and Escape
// closes it.
(() => {
  const ID = "ecg-lessons:tour";
  const START = "ecg-lessons:start";
  const LESSON = "00_start_here.ipynb";

  const button = (name) => (panel) => panel.node.querySelector(`[data-jp-item-name="${name}"]`);

  function exercise(panel) {
    const cells = panel.content.widgets;
    const index = cells.findIndex((cell) => cell.model.sharedModel.getSource().includes("checks.expect("));
    cells[index]?.node.scrollIntoView({ block: "center" });
    return cells[index]?.node;
  }

  // Of each step its title, its text, and what it shows in the panel of the notebook.
  const STEPS = [
    [
      "Welcome to ECG Lessons",
      "This is lesson 0, in a copy of your own: whatever you try, nothing breaks. Six short steps show how a lesson works.",
      () => null,
    ],
    [
      "Run",
      "Text and code take turns. Click into a code cell and press Shift+Enter, or this button: the cell runs, and its " +
        "result stands below it. The menu Run has Run All Cells, for the whole lesson: a minute here.",
      button("run"),
    ],
    [
      "Wait, or stop",
      "While Python computes, the circle at the right of this bar is filled, and cells that wait show [*]. " +
        "This square stops the cell that runs.",
      button("interrupt"),
    ],
    [
      "Restart",
      "Is a name not defined, or does something look odd? This restarts Python: it forgets all that ran, and your text " +
        "stays. The double arrow beside it restarts and then runs all cells.",
      button("restart"),
    ],
    [
      "Check",
      "A cell with three dots is yours. Write your answer in their place and run the cell: checks.expect says whether " +
        "it is right, or gives a hint. Until then the lesson goes on with our way.",
      exercise,
    ],
    [
      "Solution",
      'Still stuck? The plus adds a cell. Write checks.solution("00.rate") in it and run it: that shows our way. ' +
        "The exercises at the end of a lesson have a line Solution that unfolds.",
      button("insert"),
    ],
    [
      "Your copy",
      "JupyterLab saves what you write by itself, and this button does so at once. The menu Help shows this tour again.",
      button("save"),
    ],
  ];

  const STYLE = `
    .ecg-tour { box-sizing: border-box; width: min(26rem, calc(100vw - 2rem)); padding: 1rem 1.25rem; border-radius: 6px;
      border: 1px solid var(--jp-border-color1); background: var(--jp-layout-color1); color: var(--jp-ui-font-color0);
      font: 15px/1.5 var(--jp-ui-font-family); box-shadow: var(--jp-elevation-z8); overflow: visible; outline: none; }
    .ecg-tour::backdrop { background: none; }
    .ecg-tour h1 { margin: 0; font-size: 18px; }
    .ecg-tour footer { display: flex; align-items: center; gap: 0.5rem; }
    .ecg-tour footer span { margin-inline-end: auto; }
    .ecg-tour button { padding: 0.35rem 0.8rem; border-radius: 4px; border: 1px solid var(--jp-border-color0);
      background: var(--jp-layout-color1); color: inherit; font: inherit; cursor: pointer; }
    .ecg-tour .on { background: var(--jp-inverse-layout-color2); color: var(--jp-ui-inverse-font-color0); }
    .ecg-tour button:focus-visible { outline: 3px solid var(--jp-brand-color1); outline-offset: 2px; }
    .ecg-tour .spot { position: fixed; z-index: -1; border-radius: 4px; pointer-events: none;
      box-shadow: 0 0 0 3px var(--jp-brand-color1), 0 0 0 200vmax rgb(0 0 0 / 45%); }`;

  function show(panel) {
    const dialog = document.createElement("dialog");
    dialog.className = "ecg-tour";
    dialog.setAttribute("aria-labelledby", "ecg-tour-title");
    dialog.setAttribute("aria-describedby", "ecg-tour-text");
    dialog.innerHTML = `<style>${STYLE}</style><div class="spot"></div><h1 id="ecg-tour-title"></h1>
      <p id="ecg-tour-text"></p><footer><span></span><button class="end"></button><button class="back">Back</button>
      <button class="on"></button></footer>`;
    const [spot, title, text, count, end, back, on] = dialog.querySelectorAll(".spot, h1, p, span, .end, .back, .on");
    let step = 0;

    function go(to) {
      if (to === STEPS.length) return dialog.close();
      step = to;
      let find;
      [title.textContent, text.textContent, find] = STEPS[step];
      const last = step === STEPS.length - 1;
      count.textContent = step ? `${step} of ${STEPS.length - 1}` : "";
      end.textContent = step ? "End" : "No, thanks";
      on.textContent = last ? "Done" : step ? "Next" : "Show me";
      back.hidden = step === 0;
      end.hidden = last;
      place(find(panel));
      on.focus();
    }

    // Light up what the step is about, and stand below it, or above where there is no room below; else in the middle.
    function place(node) {
      const { left, top, width, height } = node?.getBoundingClientRect() ?? { left: -9, top: -9, width: 0, height: 0 };
      Object.assign(spot.style, { left: `${left}px`, top: `${top}px`, width: `${width}px`, height: `${height}px` });
      const room = document.documentElement;
      const below = top + height + 16;
      const y = below + dialog.offsetHeight < room.clientHeight ? below : Math.max(16, top - dialog.offsetHeight - 16);
      const x = Math.max(16, Math.min(left, room.clientWidth - dialog.offsetWidth - 16));
      Object.assign(dialog.style, node ? { margin: "0", inset: `${y}px auto auto ${x}px` } : { margin: "", inset: "" });
    }

    end.onclick = () => dialog.close();
    back.onclick = () => go(step - 1);
    on.onclick = () => go(step + 1);
    document.body.append(dialog);
    dialog.showModal();
    go(0);
    return new Promise((resolve) => {
      dialog.onclose = () => {
        dialog.remove();
        panel.content.widgets[0].node.scrollIntoView();
        resolve();
      };
    });
  }

  function lesson(app) {
    const panel = app.shell.currentWidget;
    return panel?.context?.path.split("/").pop() === LESSON ? panel : null;
  }

  async function offer(app) {
    await app.restored;
    const settings = app.serviceManager.settings;
    const told = await settings.fetch(ID);
    if (!(told.settings.offer ?? told.schema.properties.offer.default)) return;

    async function once() {
      const panel = lesson(app);
      if (!panel) return;
      app.shell.currentChanged.disconnect(once);
      await panel.revealed;
      await show(panel);
      await settings.save(ID, '{ "offer": false }');
    }

    app.shell.currentChanged.connect(once);
    once();
  }

  function activate(app) {
    app.commands.addCommand(ID, {
      label: "Tour of the First Minute",
      isEnabled: () => Boolean(lesson(app)),
      execute: () => show(lesson(app)),
    });
    offer(app); // not awaited: JupyterLab is restored only after all have been activated
  }

  const tour = { id: ID, autoStart: true, activate };

  const PULSE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><path d="M2 13h5l2-4 3 11 4-17 3 10h3"
    fill="none" stroke="#d32f2f" stroke-width="2" stroke-linejoin="round" stroke-linecap="round"/></svg>`;

  // JupyterLab shares its own parts by name; without them there is no tile, and the tour all the same.
  async function tiles() {
    const part = async (name) => (await Object.values(shared[name])[0].get())();
    const [{ ILauncher }, { LabIcon }] = await Promise.all(["@jupyterlab/launcher", "@jupyterlab/ui-components"].map(part));
    function activate(app, launcher) {
      app.commands.addCommand(START, {
        label: "Start here: lesson 0",
        caption: "Open lesson 0",
        icon: new LabIcon({ name: START, svgstr: PULSE }),
        execute: () => app.commands.execute("docmanager:open", { path: LESSON }),
      });
      launcher.add({ command: START, category: "ECG Lessons" });
    }
    return [{ id: START, autoStart: true, requires: [ILauncher], activate }];
  }

  let shared;
  (window._JUPYTERLAB ??= {})["ecg-lessons"] = {
    init: (scope) => { shared = scope; },
    get: async () => { const plugins = [tour, ...(await tiles().catch(() => []))]; return () => plugins; },
  };
})();
