import { client } from './client';

export const listerThemes = () => client.get('/themes');
export const listerNotices = (params) => client.get('/notices', { params });
export const listerExemplaires = (notice) => client.get('/exemplaires', { params: { notice } });
export const listerCouvertures = () => client.get('/couvertures');
