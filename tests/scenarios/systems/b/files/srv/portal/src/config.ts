export interface Endpoints {
  freight: string;
  identity: string;
  events: string;
}

// Set by .env.production in builds; the development server has the same paths.
export const endpoints: Endpoints = {
  freight: import.meta.env.VITE_FREIGHT_BASE ?? '/freight',
  identity: import.meta.env.VITE_IDENTITY_BASE ?? '/id',
  events: '/ws/events',
};
