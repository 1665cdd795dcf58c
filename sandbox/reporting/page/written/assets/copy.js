// Copying a line; where the browser forbids it, the line is selected.
for (const button of document.querySelectorAll("button.copy")) {
  const line = document.getElementById(button.dataset.of), word = button.textContent;
  button.onclick = async () => {
    getSelection().selectAllChildren(line);
    try {
      await navigator.clipboard.writeText(line.textContent);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: copy it with Ctrl-C";
    }
    setTimeout(() => { button.textContent = word; }, 2500);
  };
}
