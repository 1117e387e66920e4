// Returns what stands in the way of the shop: "challenge" of a bot protection, "login", or "".
() => {
  const challenge =
    "script[src*='challenge' i], script[src*='captcha' i], iframe[src*='captcha' i], iframe[src*='challenge' i], [class*=captcha i], #challenge-form";
  const title = /just a moment|are you (a )?human|verify (that )?you|attention required|access denied|robot|security check/i;
  if (title.test(document.title)) return "challenge";
  const fields = [...document.querySelectorAll("input:not([type=hidden])")];
  if (fields.some(({ type }) => type === "password")) return "login";
  const words = (document.body?.innerText ?? "").trim().split(/\s+/).length;
  return words < 60 && document.querySelector(challenge) ? "challenge" : "";
}
