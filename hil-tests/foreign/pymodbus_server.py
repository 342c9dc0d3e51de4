"""A Modbus server that nobody here wrote: pymodbus 3.0 of Debian.

usage: pymodbus_server.py tcp | rtu DEVICE

Units 1 and 2 have holding registers 0 to 199; register A of unit U holds (U * 10007 + A * 263) mod 65536, so that no two
neighbours are alike and an answer that is shifted, swapped or another unit's shows. Registers beyond are an exception
(illegal data address). Other units do not exist and are silent. Prints one JSON line when it serves;
ends with SIGTERM.
"""

import asyncio
import json
import sys

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer

REGISTERS = 200
BAUD = 115_200


def unit(number):
    values = [(number * 10007 + address * 263) % 65536 for address in range(REGISTERS)]
    return ModbusSlaveContext(hr=ModbusSequentialDataBlock(0, values), zero_mode=True)


async def main(kind, *where):
    context = ModbusServerContext(slaves={1: unit(1), 2: unit(2)}, single=False)
    if kind == "tcp":
        server = ModbusTcpServer(context, address=("127.0.0.1", 0))
        serving = asyncio.ensure_future(server.serve_forever())
        await server.serving
        port = server.server.sockets[0].getsockname()[1]
        ready = {"port": port}
    else:
        server = ModbusSerialServer(context, port=where[0], baudrate=BAUD, ignore_missing_slaves=True, timeout=1)
        await server.start()
        if server.transport is None:
            raise SystemExit(f"pymodbus could not open {where[0]}")
        serving = asyncio.ensure_future(server.serve_forever())
        ready = {"path": where[0]}
    print(json.dumps(ready), flush=True)
    await serving


asyncio.run(main(*sys.argv[1:]))
