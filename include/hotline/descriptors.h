/* descriptors.h - how many files and sockets this process may have open at once */
#ifndef HOTLINE_DESCRIPTORS_H
#define HOTLINE_DESCRIPTORS_H

/* hl_descriptors_raise - raises the soft limit of open descriptors towards wanted, never lowers it.
 * Gives   what may be open from now on: less than wanted when the hard limit is less */
unsigned hl_descriptors_raise(unsigned wanted);

#endif
