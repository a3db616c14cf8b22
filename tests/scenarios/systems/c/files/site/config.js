// Read before anything else; not part of the bundle, so that it can be changed without a build.
window.lindenhof = {
  api: {
    host: location.hostname === 'localhost' ? '/backend' : 'https://api.lindenhof.example',
    version: '2',
  },
  feed: 'wss://api.lindenhof.example/feed',
};
