// Presses the button of a consent banner that says so, in the languages of most shops; returns its text.
([refuse]) => {
  const words = refuse
    ? /^\W*(reject|decline|deny|refuse|no\b|only necessary|necessary only|ablehnen|nur notwendige|refuser|rechazar|rifiuta|weigeren|avvisa|odmítnout|odrzuć)/i
    : /^\W*(accept|allow|agree|i agree|ok\b|got it|yes\b|alle akzeptieren|akzeptieren|zustimmen|accepter|tout accepter|aceptar|accetta|accepteren|godkänn|přijmout|akceptuj)/i;
  const topic = /cookie|consent|privacy|tracking|datenschutz|confidentialité|privacidad/i;
  for (const button of document.querySelectorAll("button, a, [role=button], input[type=submit], input[type=button]")) {
    const text = (button.innerText || button.value || button.getAttribute("aria-label") || "").trim();
    if (text.length > 40 || !words.test(text) || !button.checkVisibility()) continue;
    let around = button.parentElement;
    for (let steps = 0; around && around !== document.body && steps < 6; steps += 1, around = around.parentElement) {
      if (topic.test(around.innerText)) {
        button.click();
        return text;
      }
    }
  }
  return "";
}
