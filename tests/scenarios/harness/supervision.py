"""Limits of programs in the supervisor's specification, by the format in which a system keeps it."""
import json
import re


class JsonSpecification:
    specification_file = "app/ops/programs.json"

    def limit(self, program, key, value):
        """open_files, address_space_mb, max_rss_mb or env; takes effect at the program's next start. Returns the file."""
        specification = json.loads(self.read(self.specification_file))
        specification["programs"][program][key] = value
        return self.write(self.specification_file, json.dumps(specification, indent=2) + "\n")


class UnitFiles:
    specification_folder = "etc/units"
    keys = {"open_files": ("LimitNOFILE", "{}"), "max_rss_mb": ("MemoryMax", "{}M")}

    def limit(self, program, key, value):
        """As above."""
        name, form = self.keys[key]
        relative = f"{self.specification_folder}/{program}.service"
        rest = re.sub(rf"^{name}=.*\n", "", self.read(relative), flags=re.MULTILINE)
        return self.write(relative, rest.replace("[Service]\n", f"[Service]\n{name}={form.format(value)}\n"))


class Ecosystem:
    """PM2: memory in its JSON file, open files by `ulimit` in the wrapper that it starts."""
    ecosystem_file, wrapper = "clinic/ecosystem.config.json", "clinic/bin/{}.sh"

    def limit(self, program, key, value):
        """As above."""
        if key == "open_files":
            relative = self.wrapper.format(program)
            return self.write(relative, re.sub(r"ulimit -n \d+", f"ulimit -n {value}", self.read(relative)))
        ecosystem = json.loads(self.read(self.ecosystem_file))
        app = next(each for each in ecosystem["apps"] if each["name"] == program)
        app["max_memory_restart"] = f"{value}M"
        return self.write(self.ecosystem_file, json.dumps(ecosystem, indent=2) + "\n")


class MonitAndProcfile:
    """monit: memory in its control file, open files by `ulimit` in the program's line of the Procfile."""
    control_file, procfile = "ops/monitrc", "ops/Procfile"

    def limit(self, program, key, value):
        """As above."""
        if key == "open_files":
            changed = re.sub(rf"^({program}: ulimit -n )\d+", rf"\g<1>{value}", self.read(self.procfile), flags=re.MULTILINE)
            return self.write(self.procfile, changed)
        changed = re.sub(rf"(check process {program} .*\n.*\n    if total memory > )\d+", rf"\g<1>{value}", self.read(self.control_file))
        return self.write(self.control_file, changed)


class Compose:
    """A compose file: both in the program's own service."""
    compose_file = "infra/compose/compose.yaml"
    patterns = {"open_files": (r"nofile: \d+", "nofile: {}"), "max_rss_mb": (r"mem_limit: \w+", "mem_limit: {}m")}

    def limit(self, program, key, value):
        """As above."""
        pattern, form = self.patterns[key]
        changed = re.sub(rf"(\n  {program}:\n(?:    .*\n)*?    .*?){pattern}", rf"\g<1>{form.format(value)}", self.read(self.compose_file))
        return self.write(self.compose_file, changed)
