module.exports = {
  mode: 'development',
  entry: './js/visits.js',
  devServer: {
    port: 8080,
    static: '.',
    proxy: [
      {
        context: ['/backend'],
        target: 'http://127.0.0.1:@EDGE_PORT@',
        pathRewrite: { '^/backend': '' },
        changeOrigin: true,
      },
    ],
  },
};
