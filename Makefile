# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

# Every target is a script of the same name, for machines without make: `make test` is `bash tools/test`.

export LC_ALL := C.UTF-8

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench survive clean

help:
	@echo "make demo     the whole product in a minute: a CA, three hosts, a renewal, a roll-back"
	@echo "make test     every check and every test"
	@echo "make lint     the checks alone"
	@echo "make docs     the documentation as HTML, in build/docs"
	@echo "make bench    how fast it is, beside a ping and beside community.crypto"
	@echo "make survive  what it survives: how much was tried, how much failed (LONG=1: every point)"
	@echo "make clean    removes build/, the only place that the others write to"

demo test lint docs bench survive:
	@bash tools/$@

clean:
	rm -rf build
