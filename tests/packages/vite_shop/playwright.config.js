const port = process.env.PORT ?? "4173";

export default {
  testDir: "tests",
  workers: 1,
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    neuralensUrl: process.env.NEURALENS_URL,
    launchOptions: { executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] },
  },
  webServer: {
    command: `vite preview --host 127.0.0.1 --port ${port} --strictPort`,
    url: `http://127.0.0.1:${port}`,
  },
};
