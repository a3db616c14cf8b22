import { defineConfig } from 'vite';
import react from '@vitejs/plugin-react';

export default defineConfig({
  plugins: [react()],
  server: {
    port: 5199,
    proxy: {
      // En développement, le navigateur ne connaît que /bff.
      '/bff': {
        target: 'http://127.0.0.1:@EDGE_PORT@',
        changeOrigin: true,
        rewrite: (path) => path.replace(/^\/bff/, '/rest'),
      },
      '/flux': { target: 'ws://127.0.0.1:@EDGE_PORT@', ws: true },
    },
  },
});
