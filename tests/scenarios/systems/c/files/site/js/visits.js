(function (root) {
  'use strict';
  var http = root.http;

  root.visits = {
    openingHours: function () { return http.get('/opening-hours'); },
    doctors: function () { return http.get('/doctors'); },
    slots: function (doctor) { return http.get('/slots?doctor=' + doctor); },
    rooms: function () { return http.get('/rooms'); },
    hold: function () { return http.get('/hold'); },
    results: function () { return http.get('/results'); },
    book: function (slot) { return http.post('/appointments', { slot: slot }); },
    enter: function (card, pin) {
      return http.post('/session', { card: card, pin: pin }).then(function (answer) {
        http.use(function (headers) { headers.Authorization = 'Bearer ' + answer.data.token; });
      });
    },
    follow: function (listener) {
      var socket = new WebSocket(root.lindenhof.feed);
      socket.onmessage = listener;
      return socket;
    },
  };
})(window);
