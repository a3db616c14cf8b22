import React, { useEffect, useState } from 'react';

import { CatalogueService, type Event } from './api/services/CatalogueService';
import { SalesService } from './api/services/SalesService';
import { follow } from './live';

export function App() {
  const [events, setEvents] = useState<Event[]>([]);
  useEffect(() => {
    CatalogueService.listEvents().then(setEvents);
    return follow(() => CatalogueService.listEvents().then(setEvents));
  }, []);
  return (
    <ul>
      {events.map((event) => (
        <li key={event.id} onClick={() => SalesService.createOrder({ event: event.id, tickets: 2 })}>{event.title}</li>
      ))}
    </ul>
  );
}
