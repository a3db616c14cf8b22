/* A small axios: instances with a base URL, interceptors, promises. */
(function (root) {
  'use strict';

  function create(defaults) {
    var interceptors = [];

    function request(config) {
      var headers = Object.assign({}, defaults.headers, config.headers);
      interceptors.forEach(function (interceptor) { interceptor(headers); });
      return fetch(defaults.baseURL + config.url, {
        method: config.method,
        headers: headers,
        body: config.data === undefined ? undefined : JSON.stringify(config.data),
      }).then(function (response) {
        if (!response.ok) throw Object.assign(new Error(config.url + ': ' + response.status), { status: response.status });
        return response.json().then(function (data) { return { data: data, status: response.status }; });
      });
    }

    return {
      get: function (url, config) { return request(Object.assign({}, config, { method: 'GET', url: url })); },
      post: function (url, data, config) { return request(Object.assign({}, config, { method: 'POST', url: url, data: data })); },
      use: function (interceptor) { interceptors.push(interceptor); },
    };
  }

  root.http = create({
    baseURL: root.lindenhof.api.host,
    headers: { 'Content-Type': 'application/json', 'X-Api-Version': root.lindenhof.api.version },
  });
})(window);
