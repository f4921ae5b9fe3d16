"""The user whose shells are compared: one without a profile, so that no start-up file of this machine is measured."""

import getpass
import os
import subprocess

NAME = "postern-bench"


class Account:
    """A user of its own where we may make one, else whoever runs the benchmark."""

    def __init__(self):
        self.is_made = os.geteuid() == 0
        self.name = NAME if self.is_made else getpass.getuser()
        if self.is_made:
            self.close()
            # No password fits "*", but sshd takes an account without one for locked.
            home = ["--create-home", "--skel", "/dev/null", "--shell", "/bin/sh"]
            subprocess.run(["useradd", *home, "--password", "*", NAME], check=True)

    def close(self) -> None:
        if self.is_made:
            # A session of sshd outlives its daemon while it does not know that its client is gone.
            subprocess.run(["pkill", "--signal", "KILL", "--uid", NAME], stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["userdel", "--remove", NAME], stderr=subprocess.DEVNULL, check=False)
