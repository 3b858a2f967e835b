"""The examples are projects of their own: other tests run them, as their READMEs say."""

collect_ignore_glob = ["*"]
