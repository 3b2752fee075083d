/* fuzz_config.c - a settings file is taken or refused with a reason, whatever stands in it */
#include "hotline/config.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hl_config *config = NULL;
	struct hl_buf errors;
	char path[32];
	int fd = memfd_create("hotlined.conf", MFD_CLOEXEC);

	hl_assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	hl_buf_init(&errors, 1u << 20);
	if (hl_config_load(path, &config, &errors) == HL_OK)
		hl_assert(config && hl_buf_slice(&errors).len == 0);
	else
		hl_assert(!config && hl_buf_slice(&errors).len > 0);
	hl_config_free(&config);
	hl_buf_fini(&errors);
	close(fd);
	return 0;
}
