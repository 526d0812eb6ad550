PS1='debian:\w# '
echo
echo "GUEST IS UP: Debian $(cat /etc/debian_version), root on $(findmnt --noheadings --output SOURCE /)"
