// Python builtins without an equivalent in JavaScript. Array.from and the like may be the page's own,
// and are not used.

const order = (key, sign) => (a, b) => {
  const [first, second] = [key(a), key(b)];
  return first < second ? -sign : first > second ? sign : 0;
};

/** `xs.sort(key=..., reverse=...)`: stable, reversed too. */
export const $sort = (list, key = (item) => item, reverse = false) =>
  void list.sort(order(key, reverse ? -1 : 1));

export const $sorted = (list, key, reverse) => {
  const copy = [...list];
  $sort(copy, key, reverse);
  return copy;
};

export const $copy = (value) => (Array.isArray(value) ? [...value] : { ...value });

/** `d.get(key, otherwise)`; the value may be None. */
export const $get = (dict, key, otherwise) => (Object.hasOwn(dict, key) ? dict[key] : otherwise);

export const $is_dict = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The numbers of a range, evaluated before the loop. */
export const $range = (start, end, step) => {
  const numbers = [];
  for (let number = start; step > 0 ? number < end : number > end; number += step) numbers.push(number);
  return numbers;
};

/** The remainder, with the sign of the divisor. */
export const $modulo = (a, b) => {
  const rest = a % b;
  return rest && rest < 0 !== b < 0 ? rest + b : rest;
};

/** Sets the name of an error, by which `except` matches; it is created where Python raises it. */
export const $named = (error, name) => Object.assign(error, { name });

export const $remove = (list, item) => {
  const place = list.indexOf(item);
  if (place < 0) throw $named(new Error("list.remove(x): x not in list"), "ValueError");
  list.splice(place, 1);
};
