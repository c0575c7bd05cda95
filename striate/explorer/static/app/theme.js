// Before the first paint: the theme that was chosen last, so that the page does not flash.
// A plain script, not a module: modules run after the page is parsed.
{
  const kept = localStorage.getItem("striate-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
}
