# The numbers that boards use; the VM's built-in module has WASI's. The compiler folds `errno.X` into those:
# write `from errno import X`.
EPERM = 1
ENOENT = 2
EIO = 5
EBADF = 9
EAGAIN = 11
ENOMEM = 12
EACCES = 13
EEXIST = 17
ENODEV = 19
EISDIR = 21
EINVAL = 22
ENOSPC = 28
EROFS = 30
EOPNOTSUPP = 95
ETIMEDOUT = 110
EHOSTUNREACH = 113
EINPROGRESS = 115
errorcode = {v: k for k, v in globals().items() if k[0] == "E"}
