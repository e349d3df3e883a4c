"""Pack descriptions, packs and an index of packs on the loopback, made for the tests: nothing of them is a vendor's."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FLASH_RAM = (
    '<memory name="Flash" access="rx" start="0x08000000" size="{flash:#x}" default="1" startup="1"/>'
    '<memory name="SRAM" access="rwx" start="0x20000000" size="{ram:#x}" default="1"/>'
)

G4 = """
<family Dfamily="STM32G4 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M4" Dfpu="1" Dmpu="1" Ddsp="DSP"/>
  <subFamily DsubFamily="STM32G474">
    <processor Dclock="170000000"/>
    <compile header="Include/stm32g4xx.h" define="STM32G474xx"/>
    <debug svd="SVD/STM32G474.svd"/>
    <memory name="SRAM" access="rwx" start="0x20000000" size="0x20000" default="1"/>
    <device Dname="STM32G474RETx">
      <memory name="Main_Flash" access="rx" start="0x08000000" size="0x80000" default="1" startup="1"/>
    </device>
    <device Dname="STM32G474RBTx">
      <memory name="Main_Flash" access="rx" start="0x08000000" size="0x20000" default="1" startup="1"/>
    </device>
  </subFamily>
</family>"""

F4 = """
<family Dfamily="STM32F4 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M4" Dfpu="SP_FPU" Dmpu="MPU" Dclock="168000000"/>
  <device Dname="STM32F407VG">
    <compile define="STM32F407xx"/>
    <memory id="IROM1" start="0x08000000" size="0x00100000" startup="1" default="1"/>
    <memory id="IRAM1" start="0x20000000" size="0x00020000" init="0" default="1"/>
    <memory id="IRAM2" start="0x10000000" size="0x00010000" init="0" default="0"/>
    <variant Dvariant="STM32F407VGTx"/>
    <variant Dvariant="STM32F407VGHx"><processor Dclock="100000000"/></variant>
  </device>
</family>"""

F446 = f"""
<family Dfamily="STM32F4 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M4" Dfpu="SP_FPU" Dmpu="MPU" Dclock="180000000"/>
  <device Dname="STM32F446RE">
    <compile define="STM32F446xx"/>{FLASH_RAM.format(flash=0x80000, ram=0x20000)}
    <variant Dvariant="STM32F446RETx"/>
  </device>
</family>"""

H7 = """
<family Dfamily="STM32H7 Series" Dvendor="STMicroelectronics:13">
  <subFamily DsubFamily="STM32H745">
    <processor Pname="CM7" Dcore="Cortex-M7" Dfpu="DP_FPU" Dclock="480000000"/>
    <processor Pname="CM4" Dcore="Cortex-M4" Dfpu="SP_FPU" Dclock="240000000"/>
    <compile Pname="CM7" define="STM32H745xx" Pdefine="CORE_CM7"/>
    <compile Pname="CM4" define="STM32H745xx" Pdefine="CORE_CM4"/>
    <memory Pname="CM7" name="RAM_D1" access="rw" start="0x24000000" size="0x80000" default="1"/>
    <memory Pname="CM7" name="DTCMRAM" access="rw" start="0x20000000" size="0x20000" default="0"/>
    <memory Pname="CM4" name="RAM_D2" access="rw" start="0x10000000" size="0x48000" default="1"/>
    <device Dname="STM32H745ZITx">
      <memory Pname="CM7" name="FLASH_Bank1" access="rx" start="0x08000000" size="0x100000" default="1" startup="1"/>
      <memory Pname="CM4" name="FLASH_Bank2" access="rx" start="0x08100000" size="0x100000" default="1" startup="1"/>
    </device>
  </subFamily>
</family>"""

U5 = """
<family Dfamily="STM32U5 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M33" Dfpu="SP_FPU" Ddsp="DSP" Dtz="TZ" Dclock="160000000"/>
  <memory name="SRAM_GFXMM" access="rwx" start="0x24000000" size="0x1000000" default="1"/>
  <device Dname="STM32U5A9NJHxQ">
    <compile define="STM32U5A9xx"/>
    <memory name="SRAM1" access="rwx" start="0x20000000" size="0xC0000" default="1"/>
    <memory name="SRAM2" access="rwx" start="0x200C0000" size="0x1B0000" default="0"/>
    <memory name="Bank1" access="rx" start="0x08000000" size="0x200000" default="1" startup="1"/>
    <memory name="Bank2" access="rx" start="0x08200000" size="0x200000" default="1"/>
    <memory name="Secure" access="rx" start="0x0C000000" size="0x400000" default="0" alias="Bank1"/>
    <memory name="Periph" access="prw" start="0x40000000" size="0x1000" default="0"/>
  </device>
</family>"""

SMALL = f"""
<family Dfamily="STM32F1 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M3" Dfpu="0" Dclock="72000000"/>
  <device Dname="STM32F103RE"><compile define="STM32F103xE"/>{FLASH_RAM.format(flash=0x80000, ram=0x10000)}</device>
</family>
<family Dfamily="STM32G0 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M0+" Dfpu="NO_FPU" Dclock="64000000"/>
  <device Dname="STM32G0B1RETx"><compile define="STM32G0B1xx"/>{FLASH_RAM.format(flash=0x80000, ram=0x24000)}</device>
</family>
<family Dfamily="STM32N6 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M55" Dfpu="SP_FPU" Dmve="FP_MVE" Dclock="800000000"/>
  <device Dname="STM32N657X0HxQ">{FLASH_RAM.format(flash=0x80000, ram=0x100000)}</device>
</family>
<family Dfamily="STM32F3 Series" Dvendor="STMicroelectronics:13">
  <processor Dcore="Cortex-M4" Dfpu="1" Dclock="lots"/>
  <device Dname="STM32F303RETx">{FLASH_RAM.format(flash=0x80000, ram=0x10000)}</device>
  <device Dname="STM32F303RBTx"/>
</family>"""

SVD = b"""<device><peripherals>
<peripheral><interrupt><name>WWDG</name><value>0</value></interrupt></peripheral>
<peripheral><interrupt><name>USART1_IRQn</name><value>37</value></interrupt>
<interrupt><name>WWDG</name><value>5</value></interrupt><interrupt><name>not a name</name><value>6</value></interrupt>
<interrupt><name>FAR</name><value>4000</value></interrupt></peripheral>
</peripherals></device>"""


def pdsc(
    families: str, name: str = "STM32G4xx_DFP", version: str = "2.0.0", url: str = "", vendor: str = "Keil"
) -> str:
    """A pack description."""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package schemaVersion="1.7.7">
  <vendor>{vendor}</vendor><name>{name}</name><description>made for tests</description><url>{url or "http://x/"}</url>
  <releases><release version="{version}">first</release></releases>
  <devices>{families}</devices>
</package>
"""


def write_pdsc(folder: Path, families: str = G4, name: str = "STM32G4xx_DFP") -> Path:
    """A description on disk; its path."""
    path = folder / f"Keil.{name}.pdsc"
    path.write_text(pdsc(families, name), encoding="utf-8")
    return path


def write_pack(path: Path, files: Mapping[str, bytes | str | Path]) -> Path:
    """A .pack with these files; its path. The same files give the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            data = content.read_bytes() if isinstance(content, Path) else content
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data)
    return path


def write_device_pack(path: Path, families: str = G4, name: str = "STM32G4xx_DFP") -> Path:
    """A device family pack with a description of registers; its path."""
    return write_pack(path, {f"Keil.{name}.pdsc": pdsc(families, name), "SVD/STM32G474.svd": SVD})


class Index:
    """An index of packs on the loopback: what it serves can be changed while it runs.

    files: path on the server -> content; None answers as a server does that breaks the connection.
    asked: the paths that were asked for.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        files, asked = self.files, self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                content = files.get(self.path, b"")
                if self.path not in files:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content) if content is not None else 100_000))
                self.end_headers()
                self.wfile.write(content if content is not None else b"PK\x03\x04 and then nothing")

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"{self.base}/index.pidx"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def announce(self, packs: Mapping[tuple[str, str], str]) -> None:
        """The index itself. packs: vendor and name -> version."""
        entries = "".join(
            f'<pdsc url="{self.base}/pdsc/" vendor="{vendor}" name="{name}" version="{version}"/>'
            for (vendor, name), version in packs.items()
        )
        self.files["/index.pidx"] = (
            f'<?xml version="1.0"?><index schemaVersion="1.1.0"><vendor>T</vendor><url>{self.base}/</url>'
            f"<pindex>{entries}</pindex></index>"
        ).encode()

    def publish(self, vendor: str, name: str, version: str, families: str, files: Mapping[str, bytes | str]) -> bytes:
        """A pack and its description; the pack's content."""
        text = pdsc(families, name, version, f"{self.base}/packs/", vendor)
        self.files[f"/pdsc/{vendor}.{name}.pdsc"] = text.encode()
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in sorted({f"{vendor}.{name}.pdsc": text, **files}.items()):
                archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), content)
        self.files[f"/packs/{vendor}.{name}.{version}.pack"] = stream.getvalue()
        return stream.getvalue()


def publish_all(index: Index, library: Mapping[str, bytes | str], version: str = "7.0.0") -> None:
    """CMSIS-NN and two device family packs. library: the files of CMSIS-NN."""
    index.publish("ARM", "CMSIS-NN", version, "", library)
    index.publish("Keil", "STM32G4xx_DFP", "2.0.0", G4, {"SVD/STM32G474.svd": SVD})
    index.publish("Keil", "STM32F4xx_DFP", "3.1.0", F446, {})
    index.announce(
        {("ARM", "CMSIS-NN"): version, ("Keil", "STM32G4xx_DFP"): "2.0.0", ("Keil", "STM32F4xx_DFP"): "3.1.0"}
    )
