import asyncio, sys, tempfile
from pathlib import Path
from tests.drills.kill_live_engine import *
async def go():
    folder=Path(tempfile.mkdtemp(prefix="drl")); print(folder)
    t=time.monotonic()
    async with staged(folder,"binance",1) as stage:
        print("staged", time.monotonic()-t)
        here=stage.exchanges["binance"]; here.go()
        n=[0]
        here.world.listen(lambda news: n.__setitem__(0,n[0]+isinstance(news,OrderNews)))
        e=stage.engine(); t=time.monotonic()
        for i in range(40):
            await asyncio.sleep(.25)
            print(round(time.monotonic()-t,2), n[0], stage.rows("select name,actual,reason from bots")) if i%4==0 else None
        print(e.said)
        await settled(stage) if False else await e.stop()
        print(e.said)
        print((await compare(stage)).line)
if __name__=="__main__": asyncio.run(go())
