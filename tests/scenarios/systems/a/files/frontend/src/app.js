import { getStations, getPrices } from './api.js';

const map = document.getElementById('map');
const [stations, prices] = await Promise.all([getStations(), getPrices()]);
map.textContent = `${stations.stations.length} stations, ${prices.per_minute} a minute`;
