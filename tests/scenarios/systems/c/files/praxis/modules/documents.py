"""Letters and pictures that people bring along."""
import os
import uuid


class DocumentNotKept(Exception):
    pass


class Documents:
    def __init__(self, folder):
        self.folder = folder

    def keep(self, visit):
        target = os.path.join(self.folder, uuid.uuid4().hex)
        try:
            with open(target, "wb") as file:
                file.write(visit.body)
        except OSError as error:
            raise DocumentNotKept(target) from error
        # The archive takes it from here.
        os.unlink(target)
        return 201, {"bytes": len(visit.body)}

    def routes(self):
        return {"/documents": {"POST": self.keep}}
