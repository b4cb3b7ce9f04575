.PHONY: quickstart real-model test test-llamafactory test-evalscope test-all lint bench bench-merge environments
.DEFAULT_GOAL := quickstart
export PATH := $(CURDIR)/.venv/uv/bin:$(PATH) # where scripts/environments.sh puts uv if need be

quickstart: ## DianJin-R1's recipe with a tiny model on a CPU; goes on where it stopped
	scripts/environments.sh verl llamafactory
	.venv/verl/bin/dianjin quickstart --resume

test: environments ## every test, each host's in its own environment
	$(MAKE) --no-print-directory -j 2 --output-sync=target test-llamafactory test-evalscope
	.venv/verl/bin/python -m pytest tests -m "not slow" --numprocesses 2 --dist loadfile
	.venv/verl/bin/python -m pytest tests -m slow

test-llamafactory:
	.venv/llamafactory/bin/python -m pytest tests/contracts/llamafactory tests/contracts/test_uninstall.py \
		tests/recipes tests/merge/test_names.py::test_a_value_head

test-evalscope:
	.venv/evalscope/bin/python -m pytest tests/hosts/evalscope tests/hosts/inspect_ai

test-all: test ## and what takes long: other versions of torch, a million mutations of answers, fifteen trainings
	DIANJIN_TORCH_VERSIONS="2.4.1 2.6.0 2.8.0 2.13.0" \
		.venv/verl/bin/python -m pytest tests/merge/test_torch_versions.py
	.venv/verl/bin/python tests/rewards/test_fuzz.py 1000000
	DIANJIN_TEST_ALL=1 .venv/verl/bin/python -m pytest tests -m long
	DIANJIN_TEST_ALL=1 .venv/verl/bin/python -m pytest -m "not long" tests/recipes/test_own_data.py \
		tests/recipes/test_pipeline_pages.py tests/inference/test_server.py \
		tests/evaluation/test_statistics_coverage.py
	DIANJIN_TEST_ALL=1 .venv/llamafactory/bin/python -m pytest tests/recipes/test_pipeline_pages.py \
		tests/recipes/test_composed.py tests/contracts/llamafactory/test_templates_in_hosts.py

lint: environments
	.venv/verl/bin/ruff check .
	.venv/verl/bin/ruff format --check .
	.venv/verl/bin/mypy

bench: environments ## speed, side by side with the alternatives
	.venv/verl/bin/python benchmarks/bench_rewards.py
	.venv/verl/bin/python benchmarks/bench_numeric.py
	.venv/verl/bin/python benchmarks/bench_shaping.py
	.venv/verl/bin/python benchmarks/bench_asker.py
	.venv/verl/bin/python benchmarks/bench_eval.py
	.venv/verl/bin/python benchmarks/bench_duplicates.py

bench-merge: environments ## the merger beside verl's and the disk; needs 14 GB of it, ten minutes
	.venv/verl/bin/python benchmarks/bench_merge.py
	.venv/verl/bin/python benchmarks/bench_merge.py --size 3b --repeat 1

real-model: environments ## a real pretrained model of half a gigabyte into models/, for tests
	.venv/verl/bin/python scripts/real_model.py

environments:
	scripts/environments.sh
