import { createRoot } from 'react-dom/client';
import { createBrowserRouter, RouterProvider } from 'react-router-dom';

import { Accueil } from './pages/Accueil';
import { Compte } from './pages/Compte';

const router = createBrowserRouter([
  { path: '/', element: <Accueil /> },
  { path: '/compte', element: <Compte /> },
]);

createRoot(document.getElementById('app')).render(<RouterProvider router={router} />);
