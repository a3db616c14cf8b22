export const environment = {
  production: true,
  apiUrl: 'https://api.meridian.example/lims/api/v2',
  identityUrl: 'https://api.meridian.example/lims/identity',
  liveUrl: 'wss://api.meridian.example/lims/live',
  siteId: 'northgate',
};
