export const chairs = [
  { id: "CH1", name: "Oak chair" },
  { id: "CH2", name: "Elm chair" },
  { id: "CH3", name: "Oak armchair" },
];

export const search = (query) =>
  chairs.filter((chair) => chair.name.toLowerCase().includes(query.toLowerCase()));
