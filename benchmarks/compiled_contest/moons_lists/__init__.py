"""The loss of `moons` written over Python lists, nothing declared: which of it is alike, who compiles it must find."""
