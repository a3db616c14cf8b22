"""A certificate authority and what it signs, by openssl."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile


def _openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)


class Authority:
    """`folder` gets ca.pem and ca.key."""

    def __init__(self, folder, name):
        self.folder = folder
        self.file = os.path.join(folder, "ca.pem")
        os.makedirs(folder, exist_ok=True)
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "3650",
                 "-subj", f"/CN={name}", "-keyout", self._path("ca.key"), "-out", self.file)

    def _path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, stem, names, begin="20240101000000Z", end="20400101000000Z"):
        """Writes STEM.pem and STEM.key; times as openssl writes them (YYYYMMDDHHMMSSZ)."""
        alternatives = ",".join(("IP:" if name[0].isdigit() else "DNS:") + name for name in names)
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            def inside(name):
                return os.path.join(work, name)
            with open(inside("ca.conf"), "w", encoding="utf-8") as file:
                file.write("[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=%s\ndatabase=%s\nserial=%s\npolicy=p\ndefault_md=sha256\n"
                           "x509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName=%s\n" %
                           (work, inside("index"), inside("serial"), alternatives))
            with open(inside("index"), "w", encoding="utf-8"):
                pass
            with open(inside("serial"), "w", encoding="utf-8") as file:
                file.write(os.urandom(8).hex())
            _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj",
                     f"/CN={names[0]}", "-keyout", self._path(f"{stem}.key"), "-out", inside("request"))
            _openssl("ca", "-batch", "-notext", "-config", inside("ca.conf"), "-cert", self.file, "-keyfile",
                     self._path("ca.key"), "-startdate", begin, "-enddate", end, "-in", inside("request"), "-out",
                     self._path(f"{stem}.pem"))


def cached(cache, target, name, certificates):
    """Copies an authority's folder to `target`, made at the first use; returns the authority's file.

    certificates: stem -> (names, options of Authority.issue)."""
    key = hashlib.sha256(repr((name, certificates)).encode()).hexdigest()[:12]
    folder = os.path.join(cache, f"certificates-{key}")
    with open(folder + ".lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(os.path.join(folder, "complete")):
            authority = Authority(folder, name)
            for stem, (names, options) in certificates.items():
                authority.issue(stem, names, **options)
            with open(os.path.join(folder, "complete"), "w", encoding="utf-8"):
                pass
    for file in os.listdir(folder):
        shutil.copy(os.path.join(folder, file), target)
    return os.path.join(target, "ca.pem")
