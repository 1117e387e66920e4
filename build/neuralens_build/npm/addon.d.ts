// An add-on is imported for its effect.
export {};
