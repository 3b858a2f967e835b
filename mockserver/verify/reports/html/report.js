"use strict";

function select(blocks) {
  const chosen = getSelection();
  chosen.removeAllRanges();
  const range = document.createRange();
  range.setStartBefore(blocks[0]);
  range.setEndAfter(blocks[blocks.length - 1]);
  chosen.addRange(range);
}

for (const button of document.querySelectorAll("button.copy")) {
  const blocks = [...document.getElementById(button.dataset.of).querySelectorAll("pre.command")];
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(blocks.map((block) => block.textContent).join("\n") + "\n");
      button.textContent = "Copied";
    } catch {
      // Without the right to the clipboard: selected, so that a key copies it.
      button.closest("article").querySelector("details").open = true;
      select(blocks);
      button.textContent = "Selected: copy with Ctrl-C";
    }
  });
}
