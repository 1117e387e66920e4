// `neuralens-tracker dev` prints the address.
const relay = process.env.NEURALENS_URL ?? "http://127.0.0.1:8787";

export default {
  server: { proxy: { "/nl": { target: relay } } },
  preview: { proxy: { "/nl": { target: relay } } },
};
