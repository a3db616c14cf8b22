import { client } from './client';

export async function ouvrirSession(carte, code) {
  const { token } = await client.post('/lecteurs/session', { carte, code });
  sessionStorage.setItem('jeton', token);
}

export const mesPrets = () => client.get('/prets');
export const maSelection = () => client.get('/selection');
export const reserver = (notice) => client.post('/reservations', { notice });

export function suivre(auRetour) {
  const prise = new WebSocket(window.__CONFIG__.flux);
  prise.addEventListener('message', auRetour);
  return () => prise.close();
}
