// Replaced by environment.prod.ts in production builds (see angular.json).
export const environment = {
  production: false,
  apiUrl: '/dev-api',
  identityUrl: '/lims/identity',
  liveUrl: 'ws://localhost:4200/lims/live',
  siteId: 'bench-0',
};
