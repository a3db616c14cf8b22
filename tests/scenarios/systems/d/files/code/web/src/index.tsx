import React from 'react';
import { createRoot } from 'react-dom/client';

import { OpenAPI } from './api/core/OpenAPI';
import { App } from './App';

OpenAPI.BASE = process.env.REACT_APP_API_ROOT + '/v1';
OpenAPI.HEADERS = { 'X-Sales-Channel': 'web' };
OpenAPI.TOKEN = async () => window.sessionStorage.getItem('token') ?? '';

createRoot(document.getElementById('root')!).render(<App />);
