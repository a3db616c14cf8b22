"""A git work tree with a history."""
import os
import subprocess
import time

from .render import render_file, render_tree


class Repository:
    def __init__(self, folder):
        self.folder = folder

    def git(self, *argv, **environment):
        done = subprocess.run(["git", "-C", self.folder, "-c", "commit.gpgsign=false", "-c", "gc.auto=0", *argv],
                              env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", **environment}, capture_output=True,
                              text=True, timeout=20, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"git {' '.join(argv)}: {done.stderr}")
        return done.stdout.strip()

    def create(self):
        os.makedirs(self.folder, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def commit(self, message, author, minutes_ago, paths=("-A",)):
        """Commits what changed and returns the commit's hash."""
        self.git("add", *paths)
        when = f"{int(time.time() - minutes_ago * 60)} +0000"
        mail = author.split()[0].lower() + "@example.org"
        self.git("commit", "-q", "--no-verify", "--allow-empty", "-m", message, GIT_AUTHOR_NAME=author,
                 GIT_AUTHOR_EMAIL=mail, GIT_COMMITTER_NAME=author, GIT_COMMITTER_EMAIL=mail, GIT_AUTHOR_DATE=when,
                 GIT_COMMITTER_DATE=when)
        return self.git("rev-parse", "HEAD")

    def commit_parts(self, source, commits, values):
        """Commits (minutes ago, author, message, parts): each part is a file or folder of `source`, rendered."""
        for minutes, author, message, parts in commits:
            for part in parts:
                path = os.path.join(source, part)
                target = os.path.join(self.folder, "." + part[2:] if part.startswith("__") else part)
                (render_tree if os.path.isdir(path) else render_file)(path, target, values)
            self.commit(message, author, minutes)
