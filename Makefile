# Every command in one place. `make demo` and `make test` need nothing done before them.
CARGO ?= cargo
export CARGO_TERM_COLOR ?= never

.PHONY: demo demo-check test check fmt web web-dev e2e contract sim sim-long plants bench crash full-disk damage overload network-qa upgrade soak schemathesis fuzz inference sm2-backends sbom reproducible deny clean help

help: ## what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

setup: ## installs what a new machine lacks
	@./scripts/setup

demo: setup web ## a running region with wallet and desk on http://localhost:8420 (ARGS="--once" to end by itself)
	$(CARGO) run --release --quiet --bin yibao -- demo $(ARGS)

demo-check: setup ## the whole demonstration at its full size, which must close: 5,000 people (ARGS="--people 20000" for more)
	$(CARGO) run --release --quiet --bin yibao -- demo --once --data target/demo-check $(ARGS)

test: setup ## everything that must hold, from nothing, with one closing line that counts what ran
	@./scripts/test

check: ## a quick look while working: compile, lints, layers
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --release -- -D warnings
	$(CARGO) test --release -p xtask

fmt: ## writes all code in its one form
	$(CARGO) fmt --all

web: setup ## builds the wallet and the desks into web/dist, which the next build of the program embeds
	@./scripts/web build

web-dev: setup ## wallet and desks that reload while you edit them, in front of a running `make demo`
	@./scripts/web dev

e2e: setup web ## the web app's stories in a real browser against the real program (PICTURES=folder keeps what they saw)
	@./scripts/setup browser
	$(CARGO) build --release --quiet --bin yibao
	npm --prefix web run --silent e2e -- $(ARGS)

contract: ## writes contract/ and vectors/ anew; read the difference before you commit it
	UPDATE=1 $(CARGO) test --release -p yibao --test contract

sim: ## the simulator over its 500 seeds, and the bugs planted to show that its checkers find them
	$(CARGO) test --release -p sim

sim-long: ## simulated worlds without end (ARGS="--from 5000 --steps 300" for others)
	$(CARGO) run --release --quiet -p sim -- --seeds 0 $(ARGS)

plants: setup ## builds the program with each real bug of crates/sim/plants.toml and says which checker finds it (ARGS=--seeds=40)
	$(CARGO) run --release --quiet -p sim -- --plants --seeds 100 $(ARGS)

bench: setup ## speed and memory: a table, and target/bench/report.json (ARGS="--quick" for a look)
	@./scripts/setup bench
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench measure $(ARGS)

crash: setup ## kills the program 500 times under load and checks that nothing acknowledged is lost
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench crash $(ARGS)

full-disk: setup ## fills the disk under the program again and again, and checks what it says and keeps (root, for a small mount)
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench full-disk $(ARGS)

damage: setup ## turns a bit in a file of the program's folder, or cuts it, 1,000 times over all kinds of files (ARGS="--cases 5000 --seed 7")
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench damage $(ARGS)

overload: setup ## ten times what the program admits, and slow, greedy and many clients
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench overload $(ARGS)

network-qa: setup ## four nodes under kills, pauses, partitions, clock jumps and a lost disk, and what clients were promised (ARGS="--minutes 60 --seed 7")
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench network $(ARGS)

upgrade: setup ## opens the data folder of an earlier release (ARGS="--make --fixture DIR" writes one with this release)
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench upgrade $(ARGS)

soak: setup ## settles without end: memory, speed and restart must stay (ARGS="--settlements 10000000 --people 1000000 --verify")
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench soak $(ARGS)

schemathesis: setup ## another program's idea of our contract against a served demonstration: no server's error
	@./scripts/setup schemathesis
	$(CARGO) build --release --quiet -p yibao -p bench
	target/release/bench contract $(ARGS)

fuzz: setup ## each decoder and parser with any bytes for a minute, under libFuzzer (ARGS="3600 voucher" for an hour of one)
	@./scripts/setup fuzz
	@./scripts/fuzz $(or $(ARGS),60)

inference: ## what a validator can infer from a ledger (DATA=yibao-demo), as SECURITY.md tells it
	$(CARGO) build --release --quiet -p bench
	target/release/bench inference $(or $(DATA),yibao-demo)

sm2-backends: setup ## all tests of signatures with the system's OpenSSL among the backends of SM2
	@./scripts/setup openssl
	$(CARGO) test --release -p node --features openssl-sm2 --test signature

sbom: ## what the program is made of, as CycloneDX: target/sbom.json
	@mkdir -p target
	$(CARGO) run --release --quiet -p xtask --bin sbom > target/sbom.json
	@echo "target/sbom.json: $$(grep -c '"purl"' target/sbom.json) components"

reproducible: setup ## builds the program twice in two folders and compares it byte by byte (some 15 minutes)
	@./scripts/reproducible

deny: setup ## licences, advisories and sources of all dependencies; what needs no network is in `make test` as well
	@./scripts/setup deny
	$(CARGO) deny check
