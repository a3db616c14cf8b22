import axios from 'axios';

const { apiRoot, apiVersion, bibliotheque } = window.__CONFIG__;
const racine = import.meta.env.DEV ? '/bff' : apiRoot;

export const client = axios.create({
  baseURL: `${racine}/${apiVersion}`,
  timeout: 15000,
  headers: { 'X-Bibliotheque': bibliotheque },
});

client.interceptors.request.use((config) => {
  const jeton = sessionStorage.getItem('jeton');
  if (jeton) {
    config.headers.Authorization = `Bearer ${jeton}`;
  }
  return config;
});

client.interceptors.response.use(
  (reponse) => reponse.data,
  (erreur) => {
    if (erreur.response?.status === 401) {
      sessionStorage.removeItem('jeton');
      window.location.assign('/connexion');
    }
    return Promise.reject(erreur);
  },
);
