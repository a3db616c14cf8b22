"""The shop's API: every answer comes from the database."""
import os
import secrets

import asyncpg
from aiohttp import WSMsgType, web

TOKENS: set[str] = set()
MAX_TOKENS = 10_000


async def rows(request, query):
    async with request.app["pool"].acquire(timeout=5) as connection:
        return [dict(row) for row in await connection.fetch(query)]


async def health(request):
    await rows(request, "SELECT 1")
    return web.json_response({"status": "ok", "database": "ok"})


async def summary(request):
    (counts,) = await rows(
        request,
        "SELECT (SELECT count(*) FROM products) AS products, (SELECT count(*) FROM orders) AS orders,"
        " (SELECT coalesce(sum(stock), 0) FROM inventory) AS stock",
    )
    return web.json_response({name: int(value) for name, value in counts.items()})


async def products(request):
    found = await rows(request, "SELECT id, name, price_cents FROM products ORDER BY id")
    return web.json_response({"products": found})


async def inventory(request):
    found = await rows(
        request, "SELECT p.name, i.stock FROM inventory i JOIN products p ON p.id = i.product_id ORDER BY p.id"
    )
    return web.json_response({"inventory": found})


async def orders(request):
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if token not in TOKENS:
        return web.json_response({"error": "log in first"}, status=401)
    found = await rows(request, "SELECT id, product_id, quantity, state FROM orders ORDER BY id")
    return web.json_response({"orders": found})


async def login(request):
    try:
        body = await request.json()
        name, password = str(body["user"]), str(body["password"])
    except (ValueError, KeyError, TypeError):
        return web.json_response({"error": "user and password are required"}, status=400)
    async with request.app["pool"].acquire(timeout=5) as connection:
        known = await connection.fetchval(
            "SELECT password_hash = sha256(convert_to($2, 'UTF8')) FROM users WHERE name = $1", name, password
        )
    if not known:
        return web.json_response({"error": "wrong user or password"}, status=401)
    if len(TOKENS) >= MAX_TOKENS:
        TOKENS.clear()
    token = secrets.token_urlsafe(24)
    TOKENS.add(token)
    return web.json_response({"token": token})


async def websocket(request):
    socket = web.WebSocketResponse(heartbeat=20, max_msg_size=64 * 1024)
    await socket.prepare(request)
    async for message in socket:
        if message.type == WSMsgType.TEXT:
            await socket.send_str(message.data)
    return socket


async def connect(app):
    app["pool"] = await asyncpg.create_pool(os.environ["SHOP_DATABASE_URL"], min_size=1, max_size=5, command_timeout=5)
    yield
    await app["pool"].close()


def main():
    app = web.Application()
    app.cleanup_ctx.append(connect)
    app.add_routes(
        [
            web.get("/system/health", health),
            web.get("/dashboard/summary", summary),
            web.get("/products", products),
            web.get("/inventory", inventory),
            web.get("/orders", orders),
            web.post("/auth/login", login),
            web.get("/ws", websocket),
        ]
    )
    web.run_app(app, host="127.0.0.1", port=int(os.environ["SHOP_PORT"]), print=None, shutdown_timeout=1)


if __name__ == "__main__":
    main()
