// Lue au chargement de la page ; un fichier par environnement.
window.__CONFIG__ = {
  apiRoot: 'https://api.valmont.example/rest',
  apiVersion: '2023-11',
  flux: 'wss://api.valmont.example/flux',
  bibliotheque: 'centre',
};
