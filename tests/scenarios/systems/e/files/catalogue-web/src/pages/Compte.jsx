import { useEffect, useState } from 'react';

import { mesPrets, suivre } from '../api/compte';

export function Compte() {
  const [prets, setPrets] = useState([]);
  useEffect(() => {
    const charger = () => mesPrets().then((reponse) => setPrets(reponse.prets));
    charger();
    return suivre(charger);
  }, []);
  return <p>{prets.length} prêts en cours</p>;
}
