"""The loss of `moons` written over Python lists, without declarations: the compiler has to find the loops."""
