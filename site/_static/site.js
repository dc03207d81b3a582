// What scrolls in itself can be reached by the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  // Each page has two buttons for a sidebar, and the theme listens to the first, which is not shown.
  for (const side of ["primary", "secondary"]) {
    const [first, ...others] = document.querySelectorAll(`button.${side}-toggle`);
    for (const button of others) button.addEventListener("click", () => first.click());
  }
  for (const box of document.querySelectorAll(".bd-article table, .bd-article pre, .bd-article .output"))
    if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
});
