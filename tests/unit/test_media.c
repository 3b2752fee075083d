/* test_media.c - what is taken as a photo or a recording, from where, and what a stranger's picture becomes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hotline/media.h"
#include "hotline/picture.h"

#include <arpa/inet.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <turbojpeg.h>
#include <unistd.h>

/* ---- pictures to feed ------------------------------------------------------ */

/* Red above, blue below, the left third green. */
static unsigned char *paint(unsigned width, unsigned height)
{
	unsigned char *rgb = calloc((size_t)width * height, 3);

	assert_non_null(rgb);
	for (unsigned y = 0; y < height; y++)
		for (unsigned x = 0; x < width; x++) {
			unsigned char *p = rgb + ((size_t)y * width + x) * 3;

			p[x < width / 3 ? 1 : y < height / 2 ? 0 : 2] = 255;
		}
	return rgb;
}

static struct hl_slice make_jpeg(unsigned width, unsigned height)
{
	unsigned char *rgb = paint(width, height), *jpeg = NULL;
	unsigned long len = 0;
	tjhandle writer = tjInitCompress();

	assert_int_equal(tjCompress2(writer, rgb, (int)width, 0, (int)height, TJPF_RGB, &jpeg, &len, TJSAMP_444, 95, 0),
			 0);
	tjDestroy(writer);
	free(rgb);
	return (struct hl_slice){(const char *)jpeg, len};
}

static void free_jpeg(struct hl_slice jpeg)
{
	tjFree((unsigned char *)(uintptr_t)jpeg.ptr);
}

static struct hl_slice make_png(unsigned width, unsigned height)
{
	png_image image = {.version = PNG_IMAGE_VERSION, .width = width, .height = height, .format = PNG_FORMAT_RGB};
	unsigned char *rgb = paint(width, height);
	size_t len = 0;
	char *png;

	assert_true(png_image_write_to_memory(&image, NULL, &len, 0, rgb, 0, NULL));
	png = malloc(len);
	assert_true(png_image_write_to_memory(&image, png, &len, 0, rgb, 0, NULL));
	free(rgb);
	return (struct hl_slice){png, len};
}

/* An EXIF block behind the first two bytes: orientation, and a place that must not survive. */
static struct hl_slice with_exif(struct hl_slice jpeg, unsigned orientation, const char *secret)
{
	unsigned char block[] = {0xff, 0xe1, 0, 0,    'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8,
				 0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, 0,   0,   0, 0,  0, 0, 0, 0};
	size_t secret_len = strlen(secret), len = jpeg.len + sizeof(block) + secret_len;
	char *out = malloc(len);

	block[3] = (unsigned char)(sizeof(block) - 2 + secret_len);
	block[29] = (unsigned char)orientation;
	memcpy(out, jpeg.ptr, 2);
	memcpy(out + 2, block, sizeof(block));
	memcpy(out + 2 + sizeof(block), secret, secret_len);
	memcpy(out + 2 + sizeof(block) + secret_len, jpeg.ptr + 2, jpeg.len - 2);
	return (struct hl_slice){out, len};
}

/* The colour at a place of a JPEG, as the channel that is strongest. */
static char colour_at(const struct hl_picture *p, unsigned x, unsigned y)
{
	unsigned char *rgb = malloc((size_t)p->width * p->height * 3), *at = rgb + ((size_t)y * p->width + x) * 3;
	tjhandle reader = tjInitDecompress();
	char strongest;

	assert_int_equal(tjDecompress2(reader, p->jpeg, p->bytes, rgb, (int)p->width, 0, (int)p->height, TJPF_RGB, 0),
			 0);
	tjDestroy(reader);
	strongest = at[0] > at[1] && at[0] > at[2] ? 'r' : at[1] > at[2] ? 'g' : 'b';
	free(rgb);
	return strongest;
}

/* ---- kinds ------------------------------------------------------------------ */

static void a_file_is_what_its_bytes_are(void **state)
{
	static const struct {
		enum hl_media_kind kind;
		struct hl_slice bytes;
		const char *type;
	} cases[] = {
		{HL_MEDIA_PHOTO, {"\xff\xd8\xff\xe0", 4}, "image/jpeg"},
		{HL_MEDIA_PHOTO, {"\x89PNG\r\n\x1a\n...", 11}, "image/png"},
		{HL_MEDIA_PHOTO, {"GIF89a", 6}, NULL},
		{HL_MEDIA_PHOTO, {"<svg xmlns='x'>", 15}, NULL},
		{HL_MEDIA_PHOTO, {"RIFF....WEBP", 12}, NULL},
		{HL_MEDIA_PHOTO, {"RIFF....WAVE", 12}, NULL},
		{HL_MEDIA_PHOTO, {"", 0}, NULL},
		{HL_MEDIA_PHOTO, {"\xff\xd8", 2}, NULL},
		{HL_MEDIA_RECORDING, {"RIFF....WAVEfmt ", 16}, "audio/wav"},
		{HL_MEDIA_RECORDING, {"RIFF....WAV", 11}, NULL},
		{HL_MEDIA_RECORDING, {"ID3\x03", 4}, "audio/mpeg"},
		{HL_MEDIA_RECORDING, {"\xff\xfb\x90\x64", 4}, "audio/mpeg"},
		{HL_MEDIA_RECORDING, {"\xff\xf3\x48\xc4", 4}, "audio/mpeg"},
		{HL_MEDIA_RECORDING, {"\xff\xfb\xf0\x64", 4}, NULL}, /* no such bit rate */
		{HL_MEDIA_RECORDING, {"\xff\xfd\x90\x64", 4}, NULL}, /* layer II */
		{HL_MEDIA_RECORDING, {"\xff\xd8\xff\xe0", 4}, NULL},
		{HL_MEDIA_RECORDING, {"<html>", 6}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *type = hl_media_type(cases[i].kind, cases[i].bytes);

		assert_string_equal(type ? type : "none", cases[i].type ? cases[i].type : "none");
	}
}

/* ---- addresses -------------------------------------------------------------- */

static void only_hosts_on_the_list_are_asked(void **state)
{
	static char api[] = "api.example.com", cdn[] = ".cdn.example.com", plain[] = "http://plain.example.com:8081",
		    tls[] = "tls.example.com:8443";
	static char *const allow[] = {api, cdn, plain, tls};
	static const struct {
		const char *url;
		bool may;
	} cases[] = {
		{"https://api.example.com/a.jpg", true},
		{"https://API.Example.com./a.jpg", false},
		{"HTTPS://API.EXAMPLE.COM/a.jpg", true},
		{"https://api.example.com:443/a", true},
		{"https://api.example.com:8443/a", false},
		{"https://tls.example.com:8443/a", true},
		{"https://tls.example.com/a", false},
		{"http://api.example.com/a.jpg", false},
		{"https://x.cdn.example.com/a", true},
		{"https://cdn.example.com/a", false},
		{"https://evilcdn.example.com/a", false},
		{"https://x.cdn.example.com.evil.example/a", false},
		{"https://api.example.com@evil.example/a", false},
		{"https://user:word@api.example.com/a", false},
		{"https://evil.example/api.example.com", false},
		{"https://evil.example#api.example.com", false},
		{"https://evil.example\\@api.example.com/", false},
		{"http://plain.example.com:8081/a", true},
		{"http://plain.example.com/a", false},
		{"https://plain.example.com:8081/a", false},
		{"file:///etc/passwd", false},
		{"gopher://api.example.com/", false},
		{"ftp://api.example.com/a", false},
		{"//api.example.com/a", false},
		{"api.example.com/a", false},
		{"https://127.0.0.1/a", false},
		{"https://[::1]/a", false},
		{"https://2130706433/a", false},
		{"", false},
		{"https://", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *why = hl_media_may_ask(cases[i].url, allow, sizeof(allow) / sizeof(allow[0]));

		if ((why == NULL) != cases[i].may)
			fail_msg("%s: %s", cases[i].url, why ? why : "allowed");
	}
	assert_non_null(hl_media_may_ask("https://api.example.com/a", NULL, 0));
}

static void an_account_is_told_to_its_own_host_alone(void **state)
{
	static const struct {
		const char *url;
		bool is;
	} cases[] = {
		{"https://api.example.com/media/1", true},
		{"https://api.example.com:443/media/1", true},
		{"https://API.example.com/", true},
		{"http://api.example.com/media/1", false},
		{"https://api.example.com:444/", false},
		{"https://cdn.example.com/", false},
		{"https://api.example.com.evil.example/", false},
		{"nonsense", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hl_media_is_home(cases[i].url, "https://api.example.com/v1/messages"), cases[i].is);
}

static bool may_connect(const char *text, char *const *inside, size_t n)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return hl_media_may_connect((const struct sockaddr *)&v4, inside, n);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return hl_media_may_connect((const struct sockaddr *)&v6, inside, n);
}

static void no_socket_is_opened_to_an_address_inside(void **state)
{
	static const char *const outside[] = {
		"8.8.8.8",          "9.255.255.255",   "11.0.0.0",        "172.15.255.255", "172.32.0.0",
		"192.167.255.255",  "192.169.0.1",     "100.63.255.255",  "100.128.0.0",    "169.253.0.1",
		"198.17.255.255",   "223.255.255.255", "2606:4700::1111", "2400:cb00::1",   "2002:808:808::1",
		"64:ff9b::8.8.8.8", "::ffff:8.8.8.8"};
	static const char *const inside[] = {"0.0.0.0",
					     "0.1.2.3",
					     "10.0.0.1",
					     "127.0.0.1",
					     "127.255.255.255",
					     "169.254.169.254",
					     "172.16.0.1",
					     "172.31.255.255",
					     "192.168.1.1",
					     "100.64.0.1",
					     "192.0.0.170",
					     "192.0.2.1",
					     "198.18.0.1",
					     "198.51.100.1",
					     "203.0.113.1",
					     "224.0.0.1",
					     "240.0.0.1",
					     "255.255.255.255",
					     "::",
					     "::1",
					     "fe80::1",
					     "fc00::1",
					     "fd00:ec2::254",
					     "ff02::1",
					     "::ffff:127.0.0.1",
					     "::ffff:169.254.169.254",
					     "::127.0.0.1",
					     "64:ff9b::10.0.0.1",
					     "2002:7f00:1::1",
					     "2002:a9fe:a9fe::1",
					     "2001::1",
					     "2001:db8::1",
					     "fec0::1"};
	static char v4[] = "127.0.0.1", v6[] = "fd00::7";
	static char *const allowed[] = {v4, v6};

	(void)state;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		if (!may_connect(outside[i], NULL, 0))
			fail_msg("%s is outside", outside[i]);
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if (may_connect(inside[i], NULL, 0))
			fail_msg("%s is inside", inside[i]);
	assert_true(may_connect("127.0.0.1", allowed, 2));
	assert_true(may_connect("fd00::7", allowed, 2));
	assert_false(may_connect("127.0.0.2", allowed, 2));
}

static void every_answer_has_a_consequence_and_tries_end(void **state)
{
	static const struct {
		enum hl_class cls;
		int status;
		bool is_too_long;
		enum hl_media_next next;
	} cases[] = {
		{HL_OK, 200, false, HL_MEDIA_KEEP},      {HL_OK, 204, false, HL_MEDIA_NEVER},
		{HL_OK, 206, false, HL_MEDIA_NEVER},     {HL_OK, 302, false, HL_MEDIA_FOLLOW},
		{HL_OK, 304, false, HL_MEDIA_NEVER},     {HL_OK, 307, false, HL_MEDIA_FOLLOW},
		{HL_OK, 400, false, HL_MEDIA_NEVER},     {HL_OK, 401, false, HL_MEDIA_LATER},
		{HL_OK, 404, false, HL_MEDIA_LATER},     {HL_OK, 410, false, HL_MEDIA_NEVER},
		{HL_OK, 429, false, HL_MEDIA_LATER},     {HL_OK, 500, false, HL_MEDIA_LATER},
		{HL_RETRY, 0, false, HL_MEDIA_LATER},    {HL_UNKNOWN, 200, false, HL_MEDIA_LATER},
		{HL_UNKNOWN, 200, true, HL_MEDIA_NEVER}, {HL_CONFIG, 0, false, HL_MEDIA_NEVER},
	};
	int64_t before = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(hl_media_judge(cases[i].cls, cases[i].status, cases[i].is_too_long), cases[i].next);
	for (int tries = 1; tries <= 5; tries++) {
		assert_true(hl_media_wait_us(tries) > before);
		before = hl_media_wait_us(tries);
	}
	assert_int_equal(hl_media_wait_us(6), 0);
	assert_int_equal(hl_media_wait_us(0), 0);
}

/* ---- pictures --------------------------------------------------------------- */

static void every_orientation_becomes_upright(void **state)
{
	/* Of the stored picture's corners, which one is shown top left; and are its sides swapped? Stored: top left g,
	 * top right r, bottom right b. */
	static const struct {
		unsigned orientation;
		char left_top, right_top, right_bottom;
		bool is_swapped;
	} cases[] = {
		{1, 'g', 'r', 'b', false}, {2, 'r', 'g', 'g', false}, {3, 'b', 'g', 'g', false},
		{4, 'g', 'b', 'r', false}, {5, 'g', 'g', 'b', true},  {6, 'g', 'g', 'r', true},
		{7, 'b', 'r', 'g', true},  {8, 'r', 'b', 'g', true},
	};
	struct hl_slice jpeg = make_jpeg(96, 48);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_slice turned = with_exif(jpeg, cases[i].orientation, "");
		struct hl_picture p;

		assert_int_equal(hl_exif_orientation(turned), cases[i].orientation);
		assert_int_equal(hl_picture_clean(turned, &p, NULL), HL_OK);
		assert_int_equal(p.width, cases[i].is_swapped ? 48 : 96);
		assert_int_equal(p.height, cases[i].is_swapped ? 96 : 48);
		assert_int_equal(colour_at(&p, 3, 3), cases[i].left_top);
		assert_int_equal(colour_at(&p, p.width - 4, 3), cases[i].right_top);
		assert_int_equal(colour_at(&p, p.width - 4, p.height - 4), cases[i].right_bottom);
		hl_picture_free(&p);
		free((char *)(uintptr_t)turned.ptr);
	}
	free_jpeg(jpeg);
}

/* An archive, a page and a place that ride along with a picture. */
static void nothing_but_pixels_comes_through(void **state)
{
	static const char secret[] = "GPS 30.123 104.456", rider[] = "PK\x03\x04<script>alert(1)</script>";
	struct hl_slice jpeg = make_jpeg(64, 64), tagged = with_exif(jpeg, 1, secret), png = make_png(64, 64);
	struct hl_slice whole[2];
	struct hl_picture p;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct hl_slice from = i == 0 ? tagged : png;
		char *bytes = malloc(from.len + sizeof(rider));

		memcpy(bytes, from.ptr, from.len);
		memcpy(bytes + from.len, rider, sizeof(rider));
		whole[i] = (struct hl_slice){bytes, from.len + sizeof(rider)};
		assert_int_equal(hl_picture_clean(whole[i], &p, NULL), HL_OK);
		assert_string_equal(hl_media_type(HL_MEDIA_PHOTO, (struct hl_slice){(char *)p.jpeg, p.bytes}),
				    "image/jpeg");
		assert_true(hl_slice_find((struct hl_slice){(char *)p.jpeg, p.bytes}, HL_LIT("GPS")) < 0);
		assert_true(hl_slice_find((struct hl_slice){(char *)p.jpeg, p.bytes}, HL_LIT("Exif")) < 0);
		assert_true(hl_slice_find((struct hl_slice){(char *)p.jpeg, p.bytes}, HL_LIT("script")) < 0);
		hl_picture_free(&p);
		free(bytes);
	}
	free((char *)(uintptr_t)tagged.ptr);
	free((char *)(uintptr_t)png.ptr);
	free_jpeg(jpeg);
}

static void long_sides_are_made_shorter(void **state)
{
	static const struct {
		unsigned width, height, kept_width, kept_height;
	} cases[] = {{5000, 400, 3750, 300}, {600, 9000, 225, 3375}, {4096, 30, 4096, 30}};
	struct hl_picture p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hl_slice jpeg = make_jpeg(cases[i].width, cases[i].height);

		assert_int_equal(hl_picture_clean(jpeg, &p, NULL), HL_OK);
		assert_true(p.width <= 4096 && p.height <= 4096);
		assert_in_range(p.width, cases[i].kept_width - 1, cases[i].kept_width + 1);
		assert_in_range(p.height, cases[i].kept_height - 1, cases[i].kept_height + 1);
		hl_picture_free(&p);
		free_jpeg(jpeg);
	}
	for (unsigned width = 1; width <= 4500; width += 4499) {
		struct hl_slice png = make_png(width, 5000);

		assert_int_equal(hl_picture_clean(png, &p, NULL), HL_OK);
		assert_true(p.width >= 1 && p.width <= 4096 && p.height <= 4096);
		if (width > 1) {
			assert_int_equal(p.width, 2250);
			assert_int_equal(colour_at(&p, 100, 100), 'g');
			assert_int_equal(colour_at(&p, 2200, 100), 'r');
			assert_int_equal(colour_at(&p, 2200, 2400), 'b');
		}
		hl_picture_free(&p);
		free((char *)(uintptr_t)png.ptr);
	}
}

/* The size that a head announces is judged before a byte is decoded. */
static void a_bomb_is_refused_by_its_announcement(void **state)
{
	struct hl_slice jpeg = make_jpeg(64, 64), png = make_png(64, 64);
	char *bytes = malloc(jpeg.len);
	struct hl_picture p;
	struct hl_error err;

	(void)state;
	memcpy(bytes, jpeg.ptr, jpeg.len);
	for (size_t i = 0; i + 9 < jpeg.len; i++)
		if ((unsigned char)bytes[i] == 0xff && (unsigned char)bytes[i + 1] == 0xc0)
			memcpy(bytes + i + 5, "\xff\xdc\xff\xdc", 4); /* 65500 x 65500 */
	assert_int_equal(hl_picture_clean((struct hl_slice){bytes, jpeg.len}, &p, &err), HL_INPUT);
	assert_non_null(strstr(err.text, "65500 x 65500"));
	assert_null(p.jpeg);
	free(bytes);
	bytes = malloc(png.len);
	memcpy(bytes, png.ptr, png.len);
	memcpy(bytes + 16, "\0\0\x75\x30\0\0\x75\x30",
	       8); /* 30000 x 30000; the checksum is wrong then, also a refusal */
	assert_int_equal(hl_picture_clean((struct hl_slice){bytes, png.len}, &p, &err), HL_INPUT);
	free(bytes);
	free((char *)(uintptr_t)png.ptr);
	free_jpeg(jpeg);
}

static void a_picture_cut_anywhere_is_refused_or_read_as_far_as_it_goes(void **state)
{
	struct hl_slice made[2] = {make_jpeg(80, 60), make_png(80, 60)};
	struct hl_picture p;

	(void)state;
	for (size_t k = 0; k < 2; k++)
		for (size_t len = 0; len < made[k].len; len += 7) {
			char *exact = malloc(len + 1); /* so that a read behind the end is seen */

			memcpy(exact, made[k].ptr, len);
			if (hl_picture_clean((struct hl_slice){exact, len}, &p, NULL) == HL_OK)
				assert_in_range(p.width, 1, 4096);
			hl_picture_free(&p);
			free(exact);
		}
	free_jpeg(made[0]);
	free((char *)(uintptr_t)made[1].ptr);
}

/* ---- keeping ---------------------------------------------------------------- */

struct asked {
	struct hl_loop *loop;
	struct hl_kept kept;
	unsigned n;
};

static void on_kept(void *arg, const struct hl_kept *kept)
{
	struct asked *a = arg;

	a->kept = *kept;
	a->n++;
	hl_loop_stop(a->loop);
}

static char folder[] = "/tmp/hl-media-XXXXXX";

static struct hl_kept keep(struct hl_keeper *k, struct hl_loop *loop, enum hl_media_kind kind, struct hl_slice bytes)
{
	struct asked a = {.loop = loop};

	assert_int_equal(hl_keep(k, kind, bytes, on_kept, &a, NULL), HL_OK);
	assert_int_equal(a.n, 0);
	hl_loop_run(loop);
	assert_int_equal(a.n, 1);
	return a.kept;
}

static void what_is_kept_lies_under_its_digest(void **state)
{
	struct hl_loop *loop = hl_loop_new();
	struct hl_keeper *k = hl_keeper_new(loop, "/proc/self/exe", folder);
	struct hl_slice jpeg = make_jpeg(64, 64), bad = {"\xff\xd8\xff not really", 14};
	struct hl_kept kept;
	struct hl_buf path;
	struct stat st;

	(void)state;
	kept = keep(k, loop, HL_MEDIA_PHOTO, jpeg);
	assert_int_equal(kept.cls, HL_OK);
	assert_string_equal(kept.type, "image/jpeg");
	assert_int_equal(kept.width, 64);
	hl_buf_init(&path, 4096);
	hl_media_path(&path, folder, hl_slice_str(kept.sha256), hl_slice_str(kept.type));
	assert_int_equal(stat(hl_buf_str(&path), &st), 0);
	assert_int_equal(st.st_size, kept.bytes);
	assert_int_equal(st.st_mode & 0777, 0600);
	hl_buf_fini(&path);

	kept = keep(k, loop, HL_MEDIA_PHOTO, bad);
	assert_int_equal(kept.cls, HL_INPUT);
	assert_non_null(strstr(kept.why, "broken JPEG"));
	kept = keep(k, loop, HL_MEDIA_PHOTO, HL_LIT("GIF89a"));
	assert_int_equal(kept.cls, HL_INPUT);
	kept = keep(k, loop, HL_MEDIA_RECORDING, HL_LIT("RIFF\x24\0\0\0WAVEfmt ...."));
	assert_int_equal(kept.cls, HL_OK);
	assert_string_equal(kept.type, "audio/wav");
	assert_int_equal(hl_keeper_outstanding(k), 0);
	free_jpeg(jpeg);
	hl_keeper_free(&k);
	hl_loop_free(&loop);
}

static void who_cannot_be_asked_is_answered_later(void **state)
{
	struct hl_loop *loop = hl_loop_new();
	struct hl_keeper *gone = hl_keeper_new(loop, "/nonexistent/program", folder);
	struct hl_keeper *mute = hl_keeper_new(loop, "/bin/true", folder);
	struct hl_keeper *full = hl_keeper_new(loop, "/proc/self/exe", "/proc/nowhere");
	struct hl_slice jpeg = make_jpeg(64, 64);
	struct hl_keep_op *op;
	struct asked a = {.loop = loop};

	(void)state;
	assert_int_equal(keep(gone, loop, HL_MEDIA_PHOTO, jpeg).cls, HL_RETRY);
	assert_int_equal(keep(mute, loop, HL_MEDIA_PHOTO, jpeg).cls, HL_INPUT);
	assert_int_equal(keep(full, loop, HL_MEDIA_PHOTO, jpeg).cls, HL_RETRY);
	/* After a cancel nothing comes, neither from a process that runs nor from one that waits. */
	assert_int_equal(hl_keep(full, HL_MEDIA_PHOTO, jpeg, on_kept, &a, &op), HL_OK);
	hl_loop_turn(loop, false);
	hl_loop_turn(loop, false);
	hl_keep_cancel(&op);
	assert_null(op);
	hl_loop_turn(loop, false);
	assert_int_equal(a.n, 0);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(hl_keep(full, HL_MEDIA_PHOTO, jpeg, on_kept, &a, NULL), HL_OK);
	hl_loop_turn(loop, false);
	assert_true(a.n >= 2); /* more than wait are refused at once */
	assert_int_equal(a.kept.cls, HL_RETRY);
	free_jpeg(jpeg);
	hl_keeper_free(&gone);
	hl_keeper_free(&mute);
	hl_keeper_free(&full);
	hl_loop_free(&loop);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_what_its_bytes_are),
		cmocka_unit_test(only_hosts_on_the_list_are_asked),
		cmocka_unit_test(an_account_is_told_to_its_own_host_alone),
		cmocka_unit_test(no_socket_is_opened_to_an_address_inside),
		cmocka_unit_test(every_answer_has_a_consequence_and_tries_end),
		cmocka_unit_test(every_orientation_becomes_upright),
		cmocka_unit_test(nothing_but_pixels_comes_through),
		cmocka_unit_test(long_sides_are_made_shorter),
		cmocka_unit_test(a_bomb_is_refused_by_its_announcement),
		cmocka_unit_test(a_picture_cut_anywhere_is_refused_or_read_as_far_as_it_goes),
		cmocka_unit_test(what_is_kept_lies_under_its_digest),
		cmocka_unit_test(who_cannot_be_asked_is_answered_later),
	};

	if (argc == 4 && strcmp(argv[1], "--keep") == 0) /* the keeper starts this program again */
		return hl_media_child(argv[2], argv[3]);
	assert_non_null(mkdtemp(folder));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
