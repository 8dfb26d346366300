"""tenant-auditor: can SMTP AUTH work for this account, and if not, which documented blockers stand in the way?"""

__version__ = "0.1.0"
