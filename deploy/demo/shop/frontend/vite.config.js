import { defineConfig } from 'vite';

const GATEWAY = 'http://127.0.0.1:@GATEWAY_PORT@';

export default defineConfig({
  server: {
    port: 5173,
    proxy: {
      '^/(auth|dashboard|inventory|orders|products|system|ws)': { target: GATEWAY, changeOrigin: true, ws: true },
    },
  },
});
