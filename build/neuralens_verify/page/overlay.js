// Passes what covers a page and is no consent banner: confirms an age, or closes an offer or a
// choice of country; returns the text of the pressed button, or "".
() => {
  const consent = /cookie|consent|privacy|tracking|datenschutz|confidentialité|privacidad/i;
  const age = /\b(16|18|21)\b(?!\s*%)|\bage\b|\balter\b|volljährig|\bâge\b|\bedad\b|\betà\b|leeftijd/i;
  const confirm = /^\W*(yes|i am|i'm|i’m|enter|confirm|continue|ja\b|oui|sí|si\b|sì)/i;
  const close = /^\W*(close|dismiss|no,? thanks?|no,? thank you|not now|maybe later|skip|continue|stay|schließen|nein,? danke|fermer|non,? merci|cerrar|no,? gracias|chiudi|sluiten|x)\b|^[\s×✕✖✗╳]+$/i;
  const overlays = "dialog[open], [role=dialog], [aria-modal=true]";
  const count = (node) => node.innerText.trim().split(/\s+/).length;
  const items = "[data-nl-product], [data-nl-landing]";
  const hasItems = (node) => [...node.querySelectorAll(items)].some((item) => item.checkVisibility());
  // The page itself may be in a fixed element, too.
  const isOverlay = (node) =>
    (node.matches(overlays) || getComputedStyle(node).position === "fixed") &&
    count(node) < 150 && !hasItems(node);
  const findOverlay = () => {
    let node = document.elementFromPoint(innerWidth / 2, innerHeight / 2);
    while (node && node !== document.body && node !== document.documentElement) {
      if (isOverlay(node)) return node;
      node = node.parentElement;
    }
    const { body } = document;
    const isGate = body && count(body) < 60 && age.test(body.innerText) && !hasItems(body);
    return isGate ? body : null;
  };
  const overlay = findOverlay();
  if (!overlay || consent.test(overlay.innerText)) return "";
  const selector = "button, a, [role=button], input[type=submit], input[type=button]";
  const buttons = [...overlay.querySelectorAll(selector)].filter((button) => button.checkVisibility());
  for (const label of age.test(overlay.innerText) ? [confirm, close] : [close]) {
    for (const button of buttons) {
      const texts = [button.innerText || button.value, button.getAttribute("aria-label"), button.title];
      const text = texts.find((each) => each && each.trim().length < 40 && label.test(each.trim()));
      if (text) {
        button.click();
        return text.trim();
      }
    }
  }
  return "";
}
