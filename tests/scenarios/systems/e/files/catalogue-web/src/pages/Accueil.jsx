import { useEffect, useState } from 'react';
import { Link } from 'react-router-dom';

import { listerNotices } from '../api/notices';

export function Accueil() {
  const [notices, setNotices] = useState([]);
  useEffect(() => {
    listerNotices({ page: 1 }).then((reponse) => setNotices(reponse.notices));
  }, []);
  return (
    <main>
      <Link to="/compte">Mon compte</Link>
      <ul>{notices.map((notice) => <li key={notice.id}>{notice.titre}</li>)}</ul>
    </main>
  );
}
