"""The ticket shop. usage: main.py PROPERTIES..."""
import sys

import catalogue
import office
import pino
import properties
import sales
import store
import web


def main(paths):
    try:
        settings = properties.load(paths)
        properties.number(settings, "basket.max-tickets", 1, 40)
        size = properties.number(settings, "datasource.hikari.maximum-pool-size", 0, 100)
    except (OSError, properties.PropertiesError) as error:
        pino.line(pino.FATAL, "application failed to start", err=pino.serialize(error))
        sys.exit(1)
    pool = store.Pool(settings["datasource.url"], settings["datasource.username"], settings["datasource.password"], size,
                      int(settings["datasource.hikari.connection-timeout"]))
    shelf = store.Shelf(settings["redis.uri"], int(settings["redis.timeout"]))
    routes = {}
    for part in (catalogue.Catalogue(settings, pool), sales.Sales(settings, pool, shelf), office.Office(settings, pool)):
        routes.update(part.routes())
    web.serve(settings["server.address"], int(settings["server.port"]), settings["server.context-path"], routes,
              settings["cors.allowed-origins"].split(","), settings["cors.allowed-headers"])


main(sys.argv[1:])
